# Packages the edition for the Mac: the backend, the system that it starts, and what a Mac has to know of them.
app=${apps:ROOT}/mac/Docker.app/Contents
mkdir -p "$app/MacOS" "$app/Resources"
cp ${binaries:ROOT}/backend "$app/MacOS/backend"
cp ${moby:ROOT}/etc/moby "$app/Resources/moby"
cp ${terms:ROOT}/* "$app/Resources/terms.txt"
sed "s/@VERSION@/$(cat ${binaries:ROOT}/version)/" ${mac:ROOT}/Info.plist > "$app/Info.plist"
