resource "test_thing" "a" {
  name = "a"
  size = 1
  zone = "x"
  lifecycle {
    ignore_changes = all
  }
}
