# Tests what was packaged, before anybody has it.
for os in mac win; do
  mkdir -p ${tests:ROOT}/candidate-$os
  sh ${pitfall:ROOT}/pitfall --os=$os --build=candidate ${apps:ROOT}/$os > ${tests:ROOT}/candidate-$os/STDOUT
done
