# Every source and node of this workspace, as they were made. What is there already is found again: the same node has the same id.
dagger init

# Where things come from: a repository and its parts, its last beta, an image, the builds that users have, an address.
dagger source add pinata docker/pinata -k github
dagger source add pitfall pinata --path /v1/pitfall
dagger source add backend pinata --path /v1/backend
dagger source add mac pinata --path /v1/mac
dagger source add win pinata --path /v1/win
dagger source add beta12 docker/pinata:beta12 -k github
dagger source add moby docker/moby:v1 -k docker
dagger source add dmg https://example.com/pinata/releases.json -k hockeyapp --build version
dagger source add terms https://example.com/pinata/terms.txt

# What is made on the way, in directories of the workspace, and where packages go.
dagger source add binaries
dagger source add apps
dagger source add tests
dagger source add reports
dagger source add notes
dagger source add downloads s3://downloads/pinata

# What makes it.
dagger node run --labels=build,linux --image=gcc:14-bookworm --input=backend --output=binaries build.sh
dagger node run --labels=package,osx --input=binaries,mac,moby,terms --output=apps mac.sh
dagger node run --labels=package,windows --input=binaries,win,moby,terms --output=apps win.sh
dagger node run --labels=test,osx --input=dmg,pitfall --output=tests test.sh
dagger node run --labels=test,linux --input=apps,pitfall --output=tests candidate.sh
dagger node run --input=tests --output=reports report.sh
dagger node run --input=pinata,beta12 --output=notes changes.sh
dagger node run --labels=publish --input=apps,reports,notes --output=downloads publish.sh
