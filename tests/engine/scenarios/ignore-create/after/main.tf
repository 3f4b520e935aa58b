resource "test_thing" "a" {
  name = "a"
  size = 2
  tags = { k = "v" }
  lifecycle {
    ignore_changes = all
  }
}
