/* The kernel's virtqueue behind a flat interface: numbers and arrays only.
 *
 * Buffer addresses are guest-physical and never dereferenced here; tokens are any number but 0.
 */
#include <linux/kernel.h>
#include <linux/scatterlist.h>
#include <linux/slab.h>
#include <linux/virtio.h>
#include <linux/virtio_config.h>
#include <linux/virtio_ring.h>

#define ELEMENTS_MAX 256

void *__kfree_ignore_start, *__kfree_ignore_end, *__kmalloc_fake;

dma_addr_t virtqueue_get_desc_addr(struct virtqueue *vq);
dma_addr_t virtqueue_get_avail_addr(struct virtqueue *vq);
dma_addr_t virtqueue_get_used_addr(struct virtqueue *vq);
void vring_transport_features(struct virtio_device *vdev);
bool virtqueue_kick_prepare(struct virtqueue *vq);
bool virtqueue_is_broken(struct virtqueue *vq);

/* The doorbell is rung by the caller, through the bus. */
static bool queue_notify(struct virtqueue *vq)
{
    (void)vq;
    return true;
}

static void queue_callback(struct virtqueue *vq)
{
    (void)vq;
}

/* Returns the features that the kernel's ring code keeps of `features`. */
uint64_t vio_linux_features(uint64_t features)
{
    struct virtio_device vdev = {.features = features};
    vring_transport_features(&vdev);
    return vdev.features;
}

/* Returns a virtqueue of `size` descriptors with these features, or NULL. */
struct virtqueue *vio_linux_queue_new(unsigned int index, unsigned int size, uint64_t features)
{
    struct virtio_device *vdev = calloc(1, sizeof *vdev);
    if (!vdev)
        return NULL;
    INIT_LIST_HEAD(&vdev->vqs);
    spin_lock_init(&vdev->vqs_list_lock);
    vdev->features = features;
    struct virtqueue *vq = vring_create_virtqueue(index, size, 4096, vdev, true, false, false,
                                                  queue_notify, queue_callback, "vio");
    if (!vq)
        free(vdev);
    return vq;
}

/* Frees a queue of a device that was reset, with what is still in it. */
void vio_linux_queue_delete(struct virtqueue *vq)
{
    struct virtio_device *vdev = vq->vdev;
    while (virtqueue_detach_unused_buf(vq))
        continue;
    vring_del_virtqueue(vq);
    free(vdev);
}

/* Returns the address of the descriptor area (0), driver area (1) or device area (2). */
uint64_t vio_linux_queue_address(struct virtqueue *vq, int area)
{
    if (area == 0)
        return virtqueue_get_desc_addr(vq);
    return area == 1 ? virtqueue_get_avail_addr(vq) : virtqueue_get_used_addr(vq);
}

/* Adds a buffer of `out` readable and then `in` writable elements; returns 0 or a negative errno. */
int vio_linux_queue_add(struct virtqueue *vq, const uint64_t *addresses, const uint32_t *lengths,
                        unsigned int out, unsigned int in, uint64_t token)
{
    struct scatterlist elements[ELEMENTS_MAX], *lists[ELEMENTS_MAX];
    if (out + in == 0 || out + in > ELEMENTS_MAX)
        return -EINVAL;
    for (unsigned int i = 0; i < out + in; i++) {
        sg_init_table(&elements[i], 1);
        sg_set_buf(&elements[i], (void *)(uintptr_t)addresses[i], lengths[i]);
        lists[i] = &elements[i];
    }
    return virtqueue_add_sgs(vq, lists, out, in, (void *)(uintptr_t)token, GFP_ATOMIC);
}

/* Returns whether the buffers added since the last call want a doorbell. */
bool vio_linux_queue_kick_prepare(struct virtqueue *vq)
{
    return virtqueue_kick_prepare(vq);
}

/* Returns the token of the next used buffer and its length, or 0. */
uint64_t vio_linux_queue_get(struct virtqueue *vq, uint32_t *length)
{
    return (uint64_t)(uintptr_t)virtqueue_get_buf(vq, length);
}

/* Returns whether the kernel gave the queue up because of what the device wrote. */
bool vio_linux_queue_broken(struct virtqueue *vq)
{
    return virtqueue_is_broken(vq);
}

/* Returns how many descriptors are free. */
unsigned int vio_linux_queue_free(struct virtqueue *vq)
{
    return vq->num_free;
}

/* Asks for an interrupt, at once or after most of what is in flight; false if buffers are waiting. */
bool vio_linux_queue_enable(struct virtqueue *vq, bool delayed)
{
    return delayed ? virtqueue_enable_cb_delayed(vq) : virtqueue_enable_cb(vq);
}

/* Advises the device to send no interrupt. */
void vio_linux_queue_disable(struct virtqueue *vq)
{
    virtqueue_disable_cb(vq);
}
