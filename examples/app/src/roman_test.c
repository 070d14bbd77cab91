// Tests of the numerals: known ones, bad ones, and every number there and back.
#include <stdio.h>
#include <string.h>

#include "roman.h"

static int tests, failures;

static void check(int holds, const char *what) {
    tests++;
    if (holds) return;
    failures++;
    fprintf(stderr, "failed: %s\n", what);
}

int main(void) {
    char numeral[ROMAN_SIZE];
    check(to_roman(1987, numeral) == 0 && strcmp(numeral, "MCMLXXXVII") == 0, "1987 is MCMLXXXVII");
    check(to_roman(0, numeral) == -1, "there is no zero");
    check(to_roman(4000, numeral) == -1, "4000 has no numeral");
    check(from_roman("IIII") == -1, "IIII is not usual");
    check(from_roman("") == -1, "nothing is no numeral");
    check(from_roman("MMMM") == -1, "MMMM is too much");
    for (int number = 1; number <= ROMAN_MAX; number++) {
        to_roman(number, numeral);
        check(from_roman(numeral) == number, numeral);
    }
    printf("%d tests, %d failures", tests, failures);
    return failures != 0;
}
