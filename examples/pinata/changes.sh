# Which files are not as they were in the last beta.
echo "Since beta12 (${beta12:ID}), as of ${pinata:ID}:" > ${notes:ROOT}/CHANGES.txt
cd ${pinata:ROOT}
find . -type f ! -path './.git/*' | sort | while read -r file; do
  cmp -s "$file" ${beta12:ROOT}/"$file" || echo "  $file" >> ${notes:ROOT}/CHANGES.txt
done
