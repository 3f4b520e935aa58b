resource "test_thing" "a" {
  name = "a"
  zone = "x"
  lifecycle {
    ignore_changes = [zone]
  }
}
