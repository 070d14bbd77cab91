# Tests the program of project A, and reports as JUnit XML.
failures=0
cases=
check() {
  got=$(/in/program/greet $2)
  if [ "$got" = "$3" ]; then
    cases="$cases<testcase name=\"$1\"/>"
  else
    failures=$((failures + 1))
    cases="$cases<testcase name=\"$1\"><failure message=\"got $got\"/></testcase>"
  fi
}
check "greets the world" "" "Hello, world"
check "greets by name" Ada "Hello, Ada"
echo "<testsuite name=\"greet\" tests=\"2\" failures=\"$failures\">$cases</testsuite>" > /out/report.xml
exit "$failures"
