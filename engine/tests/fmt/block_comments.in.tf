/* alone */
a=/* before */1/* behind */
/* of
   several
      lines */
b = [ /* first */ 1, /* second */ 2 ]
/* leads */ c = 1
