# Tests a build that users have.
mkdir -p ${tests:ROOT}/${dmg:BUILD}
sh ${pitfall:ROOT}/pitfall --os=osx --build=${dmg:BUILD} ${dmg:ROOT} > ${tests:ROOT}/${dmg:BUILD}/STDOUT
