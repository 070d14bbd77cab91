# Tests the program, and reports as JUnit XML.
failures=0
cases=
check() {
  got=$(printf "$3" | /in/program/berth "$2" 2>&1 | tail -n +2 | tr '\n' ' ')
  if [ "$got" = "$4" ]; then
    cases="$cases<testcase name=\"$1\"/>"
  else
    failures=$((failures + 1))
    cases="$cases<testcase name=\"$1\"><failure message=\"got $got\"/></testcase>"
  fi
}
check "a ship that comes first does not wait" 1 "Ada,10,30\n" "Ada,1,10,40,0 "
check "with one berth the second ship waits" 1 "Ada,10,30\nBerta,20,30\n" "Ada,1,10,40,0 Berta,1,40,70,20 "
check "with two berths nobody waits" 2 "Ada,10,30\nBerta,20,30\n" "Ada,1,10,40,0 Berta,2,20,50,0 "
check "no berths are too few" 0 "" ""
echo "<testsuite name=\"berth\" tests=\"4\" failures=\"$failures\">$cases</testsuite>" > /out/report.xml
exit "$failures"
