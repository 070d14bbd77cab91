// berth BERTHS: reads ships from stdin (name,arrival,minutes; sorted by arrival) and gives each the berth that is free first.
// Writes the plan to stdout, a line for each ship.
#include <stdio.h>
#include <stdlib.h>

#define MOST 16

int main(int count, char **words) {
  int berths = count == 2 ? atoi(words[1]) : 0;
  if (berths < 1 || berths > MOST) {
    fprintf(stderr, "usage: berth BERTHS, from 1 to %d\n", MOST);
    return 2;
  }
  int until[MOST] = {0};
  char name[64];
  int arrival, minutes;
  puts("ship,berth,from,to,waits");
  while (scanf(" %63[^,],%d,%d", name, &arrival, &minutes) == 3) {
    int first = 0;
    for (int i = 1; i < berths; i++)
      if (until[i] < until[first]) first = i;
    int from = until[first] > arrival ? until[first] : arrival;
    until[first] = from + minutes;
    printf("%s,%d,%d,%d,%d\n", name, first + 1, from, until[first], from - arrival);
  }
  return 0;
}
