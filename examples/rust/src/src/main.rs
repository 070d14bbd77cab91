//! Doubles the number that it is given.

fn double(number: i64) -> i64 {
    number * 2
}

fn main() {
    let number = std::env::args().nth(1).and_then(|text| text.parse().ok()).unwrap_or(21);
    println!("{}", double(number));
}

#[cfg(test)]
mod tests {
    #[test]
    fn doubles() {
        assert_eq!(super::double(21), 42);
    }
}
