# Counts what anybody could write to in the image's /srv.
find /srv -perm -o+w ! -type l | tee /dev/stderr | wc -l > /out/findings
