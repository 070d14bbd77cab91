#!/bin/sh
# Reads ships and tells their berths.
{{- $quays := print .Env.OUTPUT_DIR "/quays/output.json" | file.Read | data.JSON }}
exec "$(dirname "$0")/berth" {{ $quays.berths }}
