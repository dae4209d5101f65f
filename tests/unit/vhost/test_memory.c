/* SPDX-License-Identifier: Apache-2.0 */
/* test_memory.c - guest memory: what is mapped, found, and lost */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

#include "rig.h"
#include "vhost/fault.h"

#define PAGE UINT64_C(4096)

static struct vhost_region region(uint64_t guest, uint64_t bytes, uint64_t user)
{
	return (struct vhost_region){ .guest_addr = guest,
				      .bytes = bytes,
				      .user_addr = user };
}

static int add(struct guest_layout *l, uint64_t guest, uint64_t bytes,
	       uint64_t user)
{
	struct vhost_region r = region(guest, bytes, user);

	return guest_layout_add(l, &r);
}

static int new_file(uint64_t bytes)
{
	int fd = memfd_create("test", MFD_CLOEXEC | MFD_ALLOW_SEALING);

	assert_true(fd >= 0);
	assert_int_equal(ftruncate(fd, (off_t)bytes), 0);
	return fd;
}

static void test_layout_takes_regions_side_by_side(void **state)
{
	struct guest_layout l = { .count = 0 };

	assert_int_equal(add(&l, 0, PAGE, PAGE), 0);
	assert_int_equal(add(&l, PAGE, PAGE, 2 * PAGE), 0);
	assert_int_equal(l.count, 2);
}

static void test_layout_refuses_empty_and_wrapping_regions(void **state)
{
	struct guest_layout l = { .count = 0 };
	struct vhost_region r = region(0, PAGE, 0);

	assert_int_equal(add(&l, 0, 0, 0), -EINVAL);
	assert_int_equal(add(&l, UINT64_MAX - 1, PAGE, 0), -EINVAL);
	assert_int_equal(add(&l, 0, PAGE, UINT64_MAX - 1), -EINVAL);
	assert_int_equal(add(&l, 0, UINT64_MAX, 0), -EINVAL);
	r.file_offset = UINT64_MAX - 1;
	assert_int_equal(guest_layout_add(&l, &r), -EINVAL);
	assert_int_equal(l.count, 0);
}

static void test_layout_refuses_overlap_in_either_address(void **state)
{
	struct guest_layout l = { .count = 0 };

	assert_int_equal(add(&l, 10 * PAGE, 2 * PAGE, 20 * PAGE), 0);
	assert_int_equal(add(&l, 11 * PAGE, PAGE, 30 * PAGE), -EINVAL);
	assert_int_equal(add(&l, 9 * PAGE, PAGE + 1, 30 * PAGE), -EINVAL);
	assert_int_equal(add(&l, 30 * PAGE, PAGE, 21 * PAGE), -EINVAL);
	assert_int_equal(add(&l, 30 * PAGE, PAGE, 19 * PAGE), 0);
}

static void test_layout_is_bounded(void **state)
{
	struct guest_layout l = { .count = 0 };

	for (unsigned int i = 0; i < GUEST_REGIONS_MAX; i++)
		assert_int_equal(add(&l, i * PAGE, PAGE, i * PAGE), 0);
	assert_int_equal(add(&l, 99 * PAGE, PAGE, 99 * PAGE), -ENOSPC);
}

static void test_layout_finds_and_removes(void **state)
{
	struct guest_layout l = { .count = 0 };
	struct vhost_region r = region(PAGE, PAGE, 5 * PAGE);

	add(&l, 0, PAGE, 4 * PAGE);
	add(&l, PAGE, PAGE, 5 * PAGE);
	add(&l, 2 * PAGE, PAGE, 6 * PAGE);
	assert_int_equal(guest_layout_find(&l, &r), 1);
	assert_true(guest_layout_has_user(&l, 5 * PAGE, PAGE));
	assert_false(guest_layout_has_user(&l, 5 * PAGE, PAGE + 1));
	guest_layout_remove(&l, 1);
	assert_int_equal(l.count, 2);
	assert_int_equal(guest_layout_find(&l, &r), -ENOENT);
	assert_false(guest_layout_has_user(&l, 5 * PAGE, 1));
	assert_true(guest_layout_has_user(&l, 6 * PAGE, PAGE));
}

static void test_file_must_be_long_enough_and_a_file(void **state)
{
	struct vhost_region r = region(0, 2 * PAGE, 0);
	int fd = new_file(2 * PAGE);
	int event = eventfd(0, 0);

	assert_int_equal(guest_file_check(fd, &r), 0);
	r.file_offset = 1;
	assert_int_equal(guest_file_check(fd, &r), -ENXIO);
	assert_int_equal(guest_file_check(event, &r), -EINVAL);
	close(fd);
	close(event);
}

static void test_maps_a_region_in_the_middle_of_a_file(void **state)
{
	struct guest_layout l = { .count = 0 };
	struct vhost_region r = region(0x1000000, PAGE, 0x5000);
	struct guest_memory memory;
	int fd = new_file(4 * PAGE);
	uint64_t here;
	uint8_t *at;

	r.file_offset = PAGE + 0x123;
	assert_int_equal(pwrite(fd, "x", 1, PAGE + 0x123 + 5), 1);
	assert_int_equal(guest_layout_add(&l, &r), 0);
	assert_int_equal(guest_memory_attach(&memory, &l, &fd), 0);
	close(fd);
	at = guest_memory_at(&memory, 0x1000005, 1, &here);
	assert_non_null(at);
	assert_int_equal(*at, 'x');
	assert_ptr_equal(guest_memory_by_user(&memory, 0x5005, 1), at);
	guest_memory_detach(&memory);
}

static void test_finds_only_what_lies_in_a_region(void **state)
{
	struct guest_layout l = { .count = 0 };
	struct guest_memory memory;
	int fd = new_file(PAGE);
	uint64_t here;

	assert_int_equal(add(&l, 16 * PAGE, PAGE, 32 * PAGE), 0);
	assert_int_equal(guest_memory_attach(&memory, &l, &fd), 0);
	assert_non_null(guest_memory_at(&memory, 17 * PAGE - 1, 5, &here));
	assert_int_equal(here, 1);
	assert_null(guest_memory_at(&memory, 17 * PAGE, 1, &here));
	assert_null(guest_memory_at(&memory, 16 * PAGE - 1, 5, &here));
	assert_null(guest_memory_at(&memory, 16 * PAGE, 0, &here));
	assert_non_null(guest_memory_by_user(&memory, 32 * PAGE, PAGE));
	assert_null(guest_memory_by_user(&memory, 32 * PAGE, PAGE + 1));
	assert_null(guest_memory_by_user(&memory, 32 * PAGE + 1, PAGE));
	guest_memory_detach(&memory);
	close(fd);
}

static void test_a_failed_attach_maps_nothing(void **state)
{
	struct guest_layout l = { .count = 0 };
	struct guest_memory memory;
	int fds[2] = { new_file(PAGE), new_file(PAGE) };

	add(&l, 0, PAGE, 0);
	add(&l, PAGE, 2 * PAGE, PAGE);
	assert_int_equal(guest_memory_attach(&memory, &l, fds), -ENXIO);
	assert_int_equal(memory.count, 0);
	close(fds[0]);
	close(fds[1]);
}

static void test_a_file_that_takes_seals_cannot_be_cut(void **state)
{
	struct guest_layout l = { .count = 0 };
	struct guest_memory memory;
	int fd = new_file(PAGE);

	add(&l, 0, PAGE, 0);
	assert_int_equal(guest_memory_attach(&memory, &l, &fd), 0);
	assert_int_equal(ftruncate(fd, 0), -1);
	assert_int_equal(errno, EPERM);
	guest_memory_detach(&memory);
	close(fd);
}

/* As UML's: a file of tmpfs takes no seals. */
static int unsealable_file(uint64_t bytes)
{
	int fd = memfd_create("test", MFD_CLOEXEC);

	assert_true(fd >= 0);
	assert_int_equal(ftruncate(fd, (off_t)bytes), 0);
	return fd;
}

static void test_pages_that_are_cut_off_become_zeros(void **state)
{
	struct guest_layout l = { .count = 0 };
	struct guest_memory memory;
	int fd = unsealable_file(3 * PAGE);
	volatile uint8_t *at;
	uint64_t here;

	assert_int_equal(vhost_fault_install(), 0);
	add(&l, 0, 3 * PAGE, 0);
	assert_int_equal(guest_memory_attach(&memory, &l, &fd), 0);
	at = guest_memory_at(&memory, 0, 3 * PAGE, &here);
	at[0] = 1;
	at[2 * PAGE + 7] = 3;
	assert_int_equal(ftruncate(fd, PAGE), 0);
	assert_false(memory.is_damaged);
	assert_int_equal(at[0], 1);
	assert_false(memory.is_damaged);
	assert_int_equal(at[2 * PAGE + 7], 0);
	assert_true(memory.is_damaged);
	at[PAGE] = 9;
	assert_int_equal(at[PAGE], 9);
	guest_memory_detach(&memory);
	close(fd);
}

/* The handler must not make zeros of what is nobody's guest memory. */
static void test_other_lost_pages_still_end_the_process(void **state)
{
	int status;
	pid_t pid;

	pid = fork();
	if (pid == 0) {
		int fd = unsealable_file(PAGE);
		volatile uint8_t *at = mmap(NULL, PAGE, PROT_READ | PROT_WRITE,
					    MAP_SHARED, fd, 0);

		signal(SIGBUS, SIG_DFL); /* not cmocka's */
		if (vhost_fault_install())
			_exit(0);
		if (at == MAP_FAILED || ftruncate(fd, 0))
			_exit(0);
		at[0] = 1;
		_exit(0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGBUS);
}

static void test_damaged_memory_breaks_the_ring(void **state)
{
	static struct rig rig;

	assert_int_equal(vhost_fault_install(), 0);
	rig_init(&rig, RIG_SIZE, RIG_FEATURES);
	rig_submit(&rig, 8);
	rig_submit(&rig, 8);
	rig_show(&rig);
	assert_int_equal(vring_take(&rig.ring, &rig.chain), 1);
	rig.memory.is_damaged = true;
	assert_int_equal(vring_take(&rig.ring, &rig.chain), -EPROTO);
	assert_int_equal(rig.ring.fault, VRING_DAMAGED_MEMORY);
	rig_deinit(&rig);
}

static void test_watches_a_bounded_number_of_ranges(void **state)
{
	static char place[2 * VHOST_FAULT_RANGES_MAX];
	atomic_bool flag;
	int i = 0;

	while (vhost_fault_watch(&place[i], 1, PAGE, &flag) == 0)
		i++;
	assert_int_equal(i, VHOST_FAULT_RANGES_MAX);
	vhost_fault_unwatch(&place[5]);
	assert_int_equal(vhost_fault_watch(&place[5], 1, PAGE, &flag), 0);
	while (i-- > 0)
		vhost_fault_unwatch(&place[i]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_layout_takes_regions_side_by_side),
		cmocka_unit_test(
			test_layout_refuses_empty_and_wrapping_regions),
		cmocka_unit_test(test_layout_refuses_overlap_in_either_address),
		cmocka_unit_test(test_layout_is_bounded),
		cmocka_unit_test(test_layout_finds_and_removes),
		cmocka_unit_test(test_file_must_be_long_enough_and_a_file),
		cmocka_unit_test(test_maps_a_region_in_the_middle_of_a_file),
		cmocka_unit_test(test_finds_only_what_lies_in_a_region),
		cmocka_unit_test(test_a_failed_attach_maps_nothing),
		cmocka_unit_test(test_a_file_that_takes_seals_cannot_be_cut),
		cmocka_unit_test(test_pages_that_are_cut_off_become_zeros),
		cmocka_unit_test(test_other_lost_pages_still_end_the_process),
		cmocka_unit_test(test_damaged_memory_breaks_the_ring),
		cmocka_unit_test(test_watches_a_bounded_number_of_ranges),
	};

	return cmocka_run_group_tests_name("memory", tests, NULL, NULL);
}
