// Roman numerals: the greatest sign that fits, again and again.
#include "roman.h"

#include <stddef.h>
#include <string.h>

static const struct {
    int value;
    const char *sign;
} signs[] = {
    {1000, "M"}, {900, "CM"}, {500, "D"}, {400, "CD"}, {100, "C"}, {90, "XC"}, {50, "L"},
    {40, "XL"},  {10, "X"},   {9, "IX"},  {5, "V"},    {4, "IV"},  {1, "I"},
};

int to_roman(int number, char out[ROMAN_SIZE]) {
    if (number < 1 || number > ROMAN_MAX) return -1;
    out[0] = '\0';
    for (size_t i = 0; i < sizeof signs / sizeof signs[0]; i++)
        for (; number >= signs[i].value; number -= signs[i].value) strcat(out, signs[i].sign);
    return 0;
}

int from_roman(const char *numeral) {
    const char *rest = numeral;
    int number = 0;
    for (size_t i = 0; i < sizeof signs / sizeof signs[0]; i++) {
        size_t length = strlen(signs[i].sign);
        for (; strncmp(rest, signs[i].sign, length) == 0; rest += length) {
            number += signs[i].value;
            if (number > ROMAN_MAX) return -1;
        }
    }
    char usual[ROMAN_SIZE];
    if (*rest != '\0' || to_roman(number, usual) != 0 || strcmp(usual, numeral) != 0) return -1;
    return number;
}
