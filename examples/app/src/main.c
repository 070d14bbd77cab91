// roman: turns numbers into Roman numerals and back.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "roman.h"

int main(int argc, char **argv) {
    if (argc == 2 && strcmp(argv[1], "--version") == 0) return puts("roman " VERSION) < 0;
    if (argc < 2) {
        fputs("usage: roman NUMBER|NUMERAL...\n", stderr);
        return 2;
    }
    for (int i = 1; i < argc; i++) {
        char *end;
        char numeral[ROMAN_SIZE];
        long number = strtol(argv[i], &end, 10);
        if (*end == '\0' && number >= 1 && number <= ROMAN_MAX && to_roman((int)number, numeral) == 0) {
            puts(numeral);
        } else if ((number = from_roman(argv[i])) > 0) {
            printf("%ld\n", number);
        } else {
            fprintf(stderr, "roman: %s is neither a number from 1 to %d nor a numeral\n", argv[i], ROMAN_MAX);
            return 1;
        }
    }
    return 0;
}
