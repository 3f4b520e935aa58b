//! A simulation of any provider, made from its schema
