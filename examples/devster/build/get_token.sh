#!/bin/sh
# Stands for what asks a vault for a token.
echo "token-of-$(hostname)-$$"
