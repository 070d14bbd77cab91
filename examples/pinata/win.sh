# Packages the edition for Windows, with what its installer reads.
app=${apps:ROOT}/win/Docker
mkdir -p "$app/resources"
cp ${binaries:ROOT}/backend "$app/backend.exe"
cp ${moby:ROOT}/etc/moby "$app/resources/moby"
cp ${terms:ROOT}/* "$app/resources/terms.txt"
sed "s/@VERSION@/$(cat ${binaries:ROOT}/version)/" ${win:ROOT}/product.wxs > "$app/product.wxs"
