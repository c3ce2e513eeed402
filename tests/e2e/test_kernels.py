"""What needs a kernel that has what this machine's may lack: control groups of version 2, books by project."""
import kernel
from harness import check, check_says


def test_exec_under_version_2():
    """Driver exec's isolation, limits and rights, as a kernel with control groups of version 2 shows them."""
    said = kernel.run_under('GAGGLE_E2E_PATIENCE=3 tests/e2e/run.py --jobs 1 exec_driver', 300)
    check_says(said, r'\n5 passed, 0 failed \(')


def test_groups_of_version_2():
    """A group of version 2 is measured, told of want of memory and ended, by the kernel that counts."""
    said = kernel.run_under('build/bin/test-allocrunner-drivers -tc="a group of version 2*"', 60)
    check_says(said, r'2 passed \| 0 failed')
    check('not run: ' not in said, said)


def test_books_by_project():
    """The disk that allocations take is read from ext4's books by project."""
    said = kernel.run_under('build/bin/test-allocrunner -tc="*books by project*"', 60, ('loop', 'quota_tree', 'quota_v2'))
    check_says(said, r'6 passed \| 0 failed')
    check('not run: ' not in said, said)
