// Roman numerals from 1 to 3999.
#ifndef ROMAN_H
#define ROMAN_H

enum { ROMAN_MAX = 3999, ROMAN_SIZE = 16 };

// Writes `number` into `out`; returns 0, or -1 when there is no such numeral.
int to_roman(int number, char out[ROMAN_SIZE]);

// The number of a numeral, or -1 when it is none in its usual form.
int from_roman(const char *numeral);

#endif
