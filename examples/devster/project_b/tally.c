// Counts the lines on stdin that begin with its first argument.
#include <stdio.h>
#include <string.h>

int main(int argc, char **argv) {
  const char *wanted = argc > 1 ? argv[1] : "";
  char line[256];
  int count = 0;
  while (fgets(line, sizeof line, stdin) != NULL) count += strncmp(line, wanted, strlen(wanted)) == 0;
  printf("%d\n", count);
  return 0;
}
