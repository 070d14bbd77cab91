# What the stages of this library share: a directory of their own, and outputs that are there as a whole or not at all.
set -eu
mine=$OUTPUT_DIR/$STAGE_NAME

give() {
  mkdir -p "$mine"
  cat >"$mine/output.json.tmp"
  mv "$mine/output.json.tmp" "$mine/output.json"
}

# main COMMAND: runs the function of that name.
main() {
  case "$1" in
    up | down) "$1" ;;
    *)
      echo "usage: ctl up|down" >&2
      exit 2
      ;;
  esac
}
