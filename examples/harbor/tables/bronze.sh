# All arrivals in one table: what is no ship with its times is left out. Times are minutes since the first midnight.
awk -F ' *, *' '$2 ~ /^[0-9]+:[0-9]+$/ && $3 > 0 { split($2, at, ":"); print $1 "," at[1] * 60 + at[2] "," $3 }' /in/reports/*.csv |
  sort -t , -k 2n > /out/ships
wc -l < /out/ships > /out/rows
