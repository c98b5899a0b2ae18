# Sourced: Debian's packages without installing any and without a privilege.
#
# Lists and downloads go to the folder $work; the machine's own lists stay as they are. MIRROR=URL names a mirror;
# without it those that this machine's apt knows are tried in turn.

fail() {
  echo "$(basename "$0"): $*" >&2
  exit 1
}

# find_suite SUITE ARCHITECTURE [deb-src]: finds the mirror that has a suite under Debian's signature, and reads its lists.
find_suite() {
  local suite=$1 architecture=$2 kind mirror
  command -v apt-get >/dev/null && command -v dpkg-deb >/dev/null || fail "needs Debian's apt-get and dpkg-deb"
  keyring=$(ls /usr/share/keyrings/debian-archive-keyring.{gpg,pgp} 2>/dev/null | head -n 1) || true
  [ -n "$keyring" ] || fail "needs the package debian-archive-keyring"
  mkdir -p "$work/$suite/lists/partial" "$work/$suite/cache/archives/partial"
  echo "$architecture" >"$work/$suite/architecture"
  for mirror in $(mirrors); do
    for kind in deb ${3:-}; do
      echo "$kind [arch=$architecture signed-by=$keyring] $mirror $suite main"
    done >"$work/$suite/sources.list"
    if suite_apt "$suite" update >"$work/log" 2>&1; then
      echo "$suite from $mirror"
      return
    fi
  done
  cat "$work/log" >&2
  fail "no mirror has Debian $suite; name one by MIRROR="
}

# suite_apt SUITE ARGUMENT...: apt-get on one suite that was found, for its architecture.
suite_apt() {
  local suite=$work/$1 architecture
  shift
  architecture=$(cat "$suite/architecture")
  apt-get -q "$@" -o Dir::State::Lists="$suite/lists" -o Dir::Cache="$suite/cache" -o APT::Sandbox::User="$(id -un)" \
    -o Dir::Etc::SourceList="$suite/sources.list" -o Dir::Etc::SourceParts=/dev/null \
    -o APT::Architecture="$architecture" -o APT::Architectures::="$architecture" -o APT::Update::Error-Mode=any
}

# unpack_packages SUITE ROOT PACKAGE...: what these packages hold, below ROOT.
unpack_packages() {
  local suite=$1 root=$2 folder package
  shift 2
  folder=$(mktemp -d "$work/packages.XXXXXX")
  mkdir -p "$root"
  (cd "$folder" && suite_apt "$suite" download "$@") >"$work/log" 2>&1 || { cat "$work/log" >&2; fail "download failed"; }
  for package in "$folder"/*.deb; do
    dpkg-deb -x "$package" "$root"
  done
  rm -rf "$folder"
}

# unpack_source SUITE PACKAGE DIR: the upstream source of a package, without Debian's patches.
unpack_source() {
  local suite=$1 package=$2 folder
  folder=$(mktemp -d "$work/source.XXXXXX")
  (cd "$folder" && suite_apt "$suite" source --download-only "$package") >"$work/log" 2>&1 || { cat "$work/log" >&2; fail "download failed"; }
  mkdir -p "$3"
  tar -xf "$folder/$package"_*.orig.tar.* -C "$3" --strip-components=1
  rm -rf "$folder"
}

mirrors() {
  if [ -n "${MIRROR:-}" ]; then
    echo "$MIRROR"
  else  # every repository that apt would update from: the text before /dists/
    apt-get --print-uris update | sed -n "s|^'\(.*\)/dists/.*|\1|p" | awk '!seen[$0]++'
  fi
}
