resource "test_thing" "a" {
  name = "a"
  size = 2
  lifecycle {
    ignore_changes = [size]
  }
}
