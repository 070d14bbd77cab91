# Builds the backend of both editions, and says which commit it is of.
cp -r ${backend:ROOT} /tmp/backend
make -C /tmp/backend COMMIT=${backend:COMMIT}
cp /tmp/backend/backend /tmp/backend/version ${binaries:ROOT}/
