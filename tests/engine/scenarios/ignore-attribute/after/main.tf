resource "test_thing" "a" {
  name = "a"
  size = 2
  note = "y"
  lifecycle {
    ignore_changes = [size]
  }
}
