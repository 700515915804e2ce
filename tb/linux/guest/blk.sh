# What a guest does with a virtio-blk device by default: see functions.sh for the words.

wait_for /dev/vda
features
say "sectors $(cat /sys/block/vda/size)"

mount -t ext4 /dev/vda /mnt
verify_files
dd if=/dev/urandom of=/mnt/written bs=1000 count=60 2> /dev/null
sync
sha256sum /mnt/written > /tmp/written
umount /mnt
say "written and unmounted"

say "removing the PCI device and scanning for it"
pci_remove_and_rescan
dd if=/dev/vda of=/dev/null bs=64k iflag=direct 2> /dev/null

say "unbinding and binding 20 times"
for round in $(seq 20); do
    rebind
    dd if=/dev/vda of=/dev/null bs=4k count=1 skip=$round iflag=direct 2> /dev/null
done

say "unbinding under traffic"
dd if=/dev/vda of=/dev/null bs=4k iflag=direct 2> /dev/null &
rebind
wait

suspend_to_idle

if [ -e /modules/virtio_blk.ko ]; then
    say "unloading and loading the driver"
    rmmod virtio_blk
    insmod /modules/virtio_blk.ko
    wait_for /dev/vda
fi

mount -t ext4 /dev/vda /mnt
verify_files
sha256sum -c /tmp/written
umount /mnt
interrupts
