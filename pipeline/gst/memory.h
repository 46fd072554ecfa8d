// The allocator.
#pragma once

// memory_give_back has glibc return freed memory to the system. It takes a millisecond or two.
void memory_give_back(void);
