// The allocator.
#pragma once

// memory_give_back returns to the system what glibc keeps of freed memory. It takes a millisecond or two.
void memory_give_back(void);
