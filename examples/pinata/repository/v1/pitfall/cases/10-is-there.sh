# There is something to install.
[ -n "$(find "$1" -type f -size +0)" ]
