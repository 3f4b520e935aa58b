//! The Kubernetes provider of topo, its resource types derived from the API schema
