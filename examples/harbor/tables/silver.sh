# A berth for each ship, by the program that this repository builds; and what that means for the harbour.
/in/program/berth "$BERTHS" < /in/ships/ships > /out/plan
awk -F , 'NR > 1 { waits += $5; if ($5 > most) most = $5 } END { printf "{\"ships\": %d, \"longest\": %d}", NR - 1, most }' /out/plan > /out/figures
