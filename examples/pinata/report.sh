# Sums up what all tests said.
echo "build,passed,failed" > ${reports:ROOT}/summary.csv
for dir in ${tests:ROOT}/*; do
  echo "$(basename "$dir"),$(grep -c '^ok' "$dir/STDOUT"),$(grep -c '^not ok' "$dir/STDOUT")" >> ${reports:ROOT}/summary.csv
done
