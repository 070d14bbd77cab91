// The backend of both editions: says which version it is, and which port it forwards where.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define GUEST "192.168.65.2"

int main(int argc, char **argv) {
	if (argc == 2 && strcmp(argv[1], "--version") == 0) {
		printf("backend %s\n", COMMIT);
		return 0;
	}
	for (int i = 1; i < argc; i++) {
		int host, guest;
		if (sscanf(argv[i], "%d:%d", &host, &guest) != 2 || host < 1 || host > 65535 || guest < 1 || guest > 65535) {
			fprintf(stderr, "backend: %s is no HOST:GUEST pair of ports\n", argv[i]);
			return 2;
		}
		printf("0.0.0.0:%d -> " GUEST ":%d\n", host, guest);
	}
	return 0;
}
