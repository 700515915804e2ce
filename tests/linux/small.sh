# A short life of a virtio-blk device: probed, read, written, rebound. Its trace is small enough to keep.

wait_for /dev/vda
dd if=/dev/vda of=/dev/null bs=512 count=3 skip=5 iflag=direct 2> /dev/null
echo "written by the guest" | dd of=/dev/vda bs=512 seek=40 count=1 conv=sync,fsync 2> /dev/null
dd if=/dev/vda bs=512 skip=40 count=1 iflag=direct 2> /dev/null | grep -q "written by the guest"
rebind
dd if=/dev/vda of=/dev/null bs=1k count=2 skip=9 iflag=direct 2> /dev/null
