#!/usr/bin/env bash
# Makes the image that deploy/docker/Dockerfile begins from out of what this machine has: Node with npm, a shell, the C
# library and certificates. For machines that reach no image registry.
#
#   node-image.sh NAME FOLDER BUILDAH_OPTION...
set -euo pipefail

name=$1
folder=$2
shift 2
rootfs=$folder/rootfs

# A file with the libraries that it needs, under the same names.
bring() {
  local file library
  for file in "$@"; do
    mkdir -p "$rootfs$(dirname "$file")"
    cp --no-clobber "$(readlink -f "$file")" "$rootfs$file"
    for library in $(ldd "$file" 2>/dev/null | grep -o '/[^ ]*' || true); do
      mkdir -p "$rootfs$(dirname "$library")"
      cp --no-clobber "$(readlink -f "$library")" "$rootfs$library"
    done
  done
}

node=$(readlink -f "$(command -v node)")
npm=$(dirname "$(dirname "$(readlink -f "$(command -v npm)")")")
mkdir -p "$rootfs"/{etc/ssl/certs,etc/npm,tmp,root,dev,proc,home/node,usr/local/bin,usr/local/lib/node_modules}
bring /bin/{sh,cat,chmod,chown,cp,ls,mkdir,mv,rm} /usr/bin/env
bring "$node"
cp "$node" "$rootfs/usr/local/bin/node"
cp --recursive "$npm" "$rootfs/usr/local/lib/node_modules/npm"
ln -s ../lib/node_modules/npm/bin/npm-cli.js "$rootfs/usr/local/bin/npm"
# Loaded at run time, by Node's add-ons and for names of hosts.
for file in $(dpkg --listfiles libc6 libgcc-s1 libstdc++6 | grep -E '^/lib.*\.so[.0-9]*$|/libstdc'); do
  if [[ -f $file ]]; then bring "$file"; fi
done
printf 'root:x:0:0::/root:/bin/sh\nnode:x:1000:1000::/home/node:/bin/sh\n' >"$rootfs/etc/passwd"
printf 'root:x:0:\nnode:x:1000:\n' >"$rootfs/etc/group"
cp "${NODE_EXTRA_CA_CERTS:-/etc/ssl/certs/ca-certificates.crt}" "$rootfs/etc/ssl/certs/ca-certificates.crt"

container=$(buildah "$@" from scratch)
buildah "$@" copy --quiet "$container" "$rootfs" / >/dev/null
buildah "$@" config --cmd node --env PATH=/usr/local/bin:/usr/bin:/bin \
  --env NODE_EXTRA_CA_CERTS=/etc/ssl/certs/ca-certificates.crt \
  --env NPM_CONFIG_USERCONFIG=/etc/npm/settings --env NPM_CONFIG_CACHE=/etc/npm/cache "$container"
buildah "$@" commit --quiet --rm "$container" "$name" >/dev/null
rm -r "$rootfs"
