# Publishes the packages with their notes; keeps them back when a test of them failed.
if grep '^candidate-.*,[1-9][0-9]*$' ${reports:ROOT}/summary.csv; then
  echo "tests failed: nothing is published" >&2
  exit 1
fi
cp -r ${apps:ROOT}/. ${reports:ROOT}/. ${notes:ROOT}/. ${downloads:ROOT}/
