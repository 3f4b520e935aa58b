a = 1
tags = {
  x   = 1
  yyy = 2
}
long_name = 2
