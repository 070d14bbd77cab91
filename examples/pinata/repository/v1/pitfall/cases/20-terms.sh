# Packages have the terms; an image of a disk has them inside, where nobody looks from here.
[ "$OS" = osx ] || [ -s "$(find "$1" -name terms.txt)" ]
