# Shell functions for guest scripts; the device under test is in slot 4.

DEVICE=0000:00:04.0
BUS=/sys/bus/pci/devices/$DEVICE

say() { echo "== $*"; }

wait_for() { # wait_for PATH: at most 10 s
    local left=100
    while [ ! -e "$1" ] && [ $left -gt 0 ]; do
        sleep 0.1
        left=$((left - 1))
    done
    [ -e "$1" ] || { say "$1 did not appear"; return 1; }
}

features() { # the negotiated feature bits, lowest first
    say "features $(cat /sys/bus/virtio/devices/virtio*/features)"
}

interrupts() {
    grep virtio /proc/interrupts | sed 's/^/== interrupts /' || say "no interrupts of virtio"
}

verify_files() { # every file of the image against the sums that the host took
    (cd /mnt && sha256sum -c /sums > /tmp/sums.out) || { cat /tmp/sums.out; return 1; }
    say "files verified: $(grep -c OK /tmp/sums.out)"
}

pci_remove_and_rescan() {
    echo 1 > $BUS/remove
    echo 1 > /sys/bus/pci/rescan
    wait_for /dev/vda
}

virtio_device() { basename "$(ls -d $BUS/virtio*)"; }

rebind() { # take the driver away and give it back
    local name
    name=$(virtio_device)
    echo "$name" > /sys/bus/virtio/drivers/virtio_blk/unbind
    echo "$name" > /sys/bus/virtio/drivers/virtio_blk/bind
    wait_for /dev/vda
}

suspend_to_idle() { # the bench presses the power button a second later
    if ! grep -q freeze /sys/power/state; then
        say "this kernel cannot suspend to idle"
        return 0
    fi
    say "suspending to idle"
    echo freeze > /sys/power/state
    say "resumed"
}
