resource "test_thing" "a" {
  count = 1
  name = "a${count.index}"
  lifecycle {
    prevent_destroy = true
  }
}
