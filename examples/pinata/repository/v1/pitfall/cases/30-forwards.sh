# The backend of a package forwards ports, and refuses what is none.
[ "$OS" = osx ] && exit 0
backend=$(find "$1" -name 'backend*' -type f)
[ "$("$backend" 80:8080)" = "0.0.0.0:80 -> 192.168.65.2:8080" ]
! "$backend" 80:99999 2> /dev/null
