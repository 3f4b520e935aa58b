a = var.x
b = f("y", "${z}")
c = "${a}${b}"
d = "x${a}"
e = "${a} "
f = a
g = ["${a}"]
h = { k = "${a}" }
i = "literal"
j = "${a}" == "${b}"
k = 1
l = ("${a}")
