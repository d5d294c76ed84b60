#!/usr/bin/env bash
# Installs from Debian what some tests want and the machine may lack. Needs root; safe to run again.
set -euo pipefail

declare -A command_of=([curl]=curl [openssl]=openssl [procps]=pkill [util-linux]=setpriv [redis-server]=redis-server [openssh-server]=/usr/sbin/sshd [chromium]=chromium)
missing=()
for package in "${!command_of[@]}"; do
  command -v "${command_of[$package]}" >/dev/null 2>&1 || missing+=("$package")
done
if [ "${#missing[@]}" -eq 0 ]; then
  echo "debian.sh: nothing to install"
  exit 0
fi
if [ "$(id -u)" -ne 0 ]; then
  echo "debian.sh: ${missing[*]} missing: run this script as root to install them" >&2
  exit 1
fi
export DEBIAN_FRONTEND=noninteractive
apt-get update -qq
apt-get install -y -qq --no-install-recommends "${missing[@]}"
