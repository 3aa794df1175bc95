/* Adds two milliseconds to every fsync and fdatasync, so that a quick disk behaves like a usual one.
 * cc -shared -fPIC -O2 -o slow_fsync.so slow_fsync.c -ldl ; LD_PRELOAD=slow_fsync.so ... */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <time.h>

static void pause_2ms(void) {
    struct timespec wait = {0, 2000000};
    nanosleep(&wait, 0);
}
int fsync(int fd) {
    static int (*real)(int);
    if (!real) real = (int (*)(int))dlsym(RTLD_NEXT, "fsync");
    pause_2ms();
    return real(fd);
}
int fdatasync(int fd) {
    static int (*real)(int);
    if (!real) real = (int (*)(int))dlsym(RTLD_NEXT, "fdatasync");
    pause_2ms();
    return real(fd);
}
