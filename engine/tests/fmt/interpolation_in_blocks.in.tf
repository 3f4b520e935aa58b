resource "a" "b" {
x="${var.x}"
nested {
y="${var.y}"
}
one { z = "${var.z}" }
}
