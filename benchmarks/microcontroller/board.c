/* What runs before main on a Cortex-M of QEMU: the stack, the floating-point unit, and a timer that counts down. */

extern int __stack;
extern void _start(void);
void reset(void);
void _init(void);
void _fini(void);

__attribute__((section(".vectors"), used)) const void *const vectors[2] = {&__stack, (const void *)reset};

void reset(void)
{
#ifdef __ARM_FP
    *(volatile unsigned *)0xE000ED88u |= 0xFu << 20; /* the coprocessors that are the floating-point unit */
#endif
    *(volatile unsigned *)0xE000E014u = 0xFFFFFFu; /* SysTick begins here again */
    *(volatile unsigned *)0xE000E018u = 0;
    *(volatile unsigned *)0xE000E010u = 5; /* by the clock of the processor, without an interrupt */
    _start();
}

void _init(void) {}

void _fini(void) {}
