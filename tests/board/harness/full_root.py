# SPDX-License-Identifier: MIT
"""The full root: a disk image with Debian 13 arm64, made without running any of its programs.

The packages are only extracted, so everything that their maintainer scripts would have done and
that matters here is done by hand: users, the machine id, a few links. Kernel modules, clients and
guest scripts come with the initramfs of each boot, so the image depends on packages alone.
"""

import os

from . import apt, builder, cache, host, report

# Under emulation GStreamer takes long to look at a plugin, so only these are kept.
PLUGINS = ("app", "coreelements", "debugutilsbad", "kms", "playback", "rawparse",
           "typefindfunctions",
           "video4linux2", "videoconvertscale", "videofilter", "videoparsersbad", "videorate",
           "videotestsrc", "waylandsink")
DROPPED = ("usr/share/doc", "usr/share/man", "usr/share/info", "usr/share/locale",
           "usr/share/lintian", "usr/share/bug", "usr/share/gtk-doc", "usr/share/help",
           "usr/lib/udev/hwdb.d", "usr/share/iso-codes", "usr/share/icu", "boot")
SPARE_MIB = 256

BUILD = r"""
set -e
cd /image
mkdir root
# base-files brings the links of the merged /usr that all others rely on.
for deb in $(cat /image/debs); do
	dpkg-deb -x "/pool/$deb" root
	echo "unpacked $deb"
done
cd root
for name in $(cat /image/dropped); do rm -rf "./$name"; done
for plugin in usr/lib/aarch64-linux-gnu/gstreamer-1.0/libgst*.so; do
	name=${plugin##*/libgst}
	grep -qx "${name%.so}" /image/plugins || rm "$plugin"
done
printf 'root:x:0:0:root:/root:/bin/bash\n' >etc/passwd
printf 'root:x:0:\n' >etc/group
printf 'root:*:20000:0:99999:7:::\n' >etc/shadow
for name in adm tty disk lp kmem audio video input render dialout sgx kvm cdrom tape utmp users; do
	grep -qs "^$name:" etc/group || echo "$name" >>/image/groups
done
sed 's/.*/g & -/' /image/groups >usr/lib/sysusers.d/board.conf
systemd-sysusers --root=/image/root
echo 0123456789abcdef0123456789abcdef >etc/machine-id
echo board >etc/hostname
ln -sf mawk usr/bin/awk
[ -e usr/bin/sh ] || ln -s dash usr/bin/sh
# As pam-auth-update writes them, for the modules that are there.
for what in auth account password session; do
	echo "$what required pam_unix.so" >"etc/pam.d/common-$what"
done
cp etc/pam.d/common-session etc/pam.d/common-session-noninteractive
echo 'session optional pam_systemd.so' >>etc/pam.d/common-session
mkdir -p etc/systemd/system share out
# A coldplug must not load the display driver before the harness asks for it.
mkdir -p etc/modprobe.d
echo 'blacklist msm' >etc/modprobe.d/board.conf
# Tell systemd that nothing has changed since these were last made: it would rebuild them.
touch -d '2100-01-01' etc/.updated var/.updated
size=$(du -sm --apparent-size . | cut -f1)
cd /image
mke2fs -q -F -t ext4 -O '^has_journal' -L board -d root image.part "$((size * 5 / 4 + SPARE))M"
rm -rf root
"""


def _split(packages):
    plain = [p for p in packages if p[0] not in "+-"]
    return plain, [p[1:] for p in packages if p[0] == "+"], [p[1:] for p in packages if p[0] == "-"]


def _resolve(packages):
    plain, alone, pretended = _split(packages)

    def resolve(fetcher):
        with fetcher.pretending("arm64", pretended):
            records = fetcher.download("full root", "arm64", plain, True)
        have = {r["package"] for r in records}
        rest = [f"{p}:arm64" for p in alone if p not in have]
        return records + fetcher.download("full root plugins", "arm64", rest, False)
    return resolve


def image():
    """The path of the disk image, built when there is none for the present package list."""
    packages = apt.package_list("full")
    records = apt.package_set("full", _resolve(packages), packages)
    identity = cache.key("full-1", [r["sha256"] for r in records], BUILD, PLUGINS, DROPPED,
                         SPARE_MIB)
    place = cache.path("full", identity)
    target = os.path.join(place, "root.ext4")
    with cache.lock("full"):
        if os.path.exists(target):
            return target
        builder.remove(place)
        os.makedirs(place)
        debs = sorted((r["file"] for r in records),
                      key=lambda n: (not n.startswith("base-files_"), n))
        for name, lines in (("debs", debs), ("dropped", DROPPED), ("plugins", PLUGINS),
                            ("groups", ())):
            cache.write(os.path.join(place, name), "".join(line + "\n" for line in lines))
        builder.run("building the full root (Debian 13 arm64)", ["sh", "-c", BUILD], "full",
                    binds=((apt.POOL, "/pool", "ro"), (place, "/image", "rw")),
                    root_user=True, environment=(("SPARE", str(SPARE_MIB)),))
        part = os.path.join(place, "image.part")
        report.run_logged("taking over the image",
                          host.as_root(["chown", f"{os.getuid()}:{os.getgid()}", part]),
                          cache.log_path("full-chown"))
        os.rename(part, target)
    return target
