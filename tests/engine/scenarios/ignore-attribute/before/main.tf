resource "test_thing" "a" {
  name = "a"
  size = 1
  note = "x"
  lifecycle {
    ignore_changes = [size]
  }
}
